SELECT bidder, count(*) AS num, min(date_time) AS start, max(date_time) + INTERVAL '10 seconds' AS ended
FROM (
    SELECT bidder, date_time, sum(is_first) OVER (PARTITION BY bidder ORDER BY date_time ROWS UNBOUNDED PRECEDING) AS number
    FROM (
        SELECT
            bidder, date_time,
            CASE WHEN date_time <= lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time) + INTERVAL '10 seconds'
                THEN 0 ELSE 1 END AS is_first
        FROM bid
    ) AS marked
) AS numbered
GROUP BY bidder, number
