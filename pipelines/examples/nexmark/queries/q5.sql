-- Which auctions had the most bids in ten seconds, every two seconds? No count is above the largest, so `=` asks what `>=` would.
WITH counts AS (
    SELECT auction, w."start" AS start, num
    FROM (
        SELECT auction, hop(INTERVAL '2 seconds', INTERVAL '10 seconds', date_time) AS w, count(*) AS num
        FROM bid
        GROUP BY auction, hop(INTERVAL '2 seconds', INTERVAL '10 seconds', date_time)
    ) AS windows
)
SELECT c.auction, c.num
FROM counts c
JOIN (SELECT start, max(num) AS most FROM counts GROUP BY start) AS m ON c.start = m.start AND c.num = m.most
