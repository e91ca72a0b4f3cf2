-- What the generator makes, and the bounded table of q13.

CREATE TABLE person (
    id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMP, extra TEXT
) WITH (format = 'json', type = 'source');

CREATE TABLE auction (
    id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, expires TIMESTAMP,
    seller BIGINT, category BIGINT, extra TEXT
) WITH (format = 'json', type = 'source');

CREATE TABLE bid (
    auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT
) WITH (format = 'json', type = 'source');

CREATE TABLE side_input (key BIGINT, value TEXT) WITH (format = 'json', type = 'source');

-- What measures operators one at a time.

CREATE TABLE item (key BIGINT, value BIGINT, at TIMESTAMP) WITH (format = 'json', type = 'source');

CREATE TABLE lot (id BIGINT, seller BIGINT) WITH (format = 'json', type = 'source');
