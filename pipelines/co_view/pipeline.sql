-- What is looked at together: for each SKU the twenty that share the most sessions with it.

CREATE TABLE clickstream (
    event_id TEXT PRIMARY KEY, type TEXT, session_id TEXT, sku TEXT, occurred_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'clickstream', format = 'json', type = 'source');

CREATE TABLE related_by_view (
    sku TEXT, other_sku TEXT, sessions BIGINT, PRIMARY KEY (sku, other_sku)
) WITH (connector = 'redis', type = 'sink', target = 'sorted_set', 'target.key_prefix' = 'related:view:',
        'target.key_column' = 'sku', 'target.member_column' = 'other_sku', 'target.score_column' = 'sessions');

CREATE VIEW views AS
    SELECT DISTINCT session_id, sku FROM clickstream WHERE type IN ('view', 'click', 'add_to_cart') AND sku IS NOT NULL;

CREATE VIEW session_sizes AS SELECT session_id, count(*) AS skus FROM views GROUP BY session_id;

-- A session that looks at more than thirty products is a crawler's.
CREATE VIEW sessions AS
    SELECT v.session_id, v.sku FROM views v JOIN session_sizes s ON s.session_id = v.session_id WHERE s.skus BETWEEN 2 AND 30;

CREATE VIEW pairs AS
    SELECT a.sku AS sku, b.sku AS other_sku, count(*) AS sessions
    FROM sessions a JOIN sessions b ON b.session_id = a.session_id AND a.sku < b.sku
    GROUP BY a.sku, b.sku;

CREATE VIEW related AS
    SELECT sku, other_sku, sessions FROM pairs UNION ALL SELECT other_sku, sku, sessions FROM pairs;

INSERT INTO related_by_view
    SELECT sku, other_sku, sessions
    FROM (SELECT sku, other_sku, sessions, row_number() OVER (PARTITION BY sku ORDER BY sessions DESC, other_sku) AS rn FROM related)
    WHERE rn <= 20;
