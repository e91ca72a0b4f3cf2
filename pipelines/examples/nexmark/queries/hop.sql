-- The bids on each auction in ten seconds, every two seconds.
SELECT auction, w."start" AS start, num
FROM (
    SELECT auction, hop(INTERVAL '2 seconds', INTERVAL '10 seconds', date_time) AS w, count(*) AS num
    FROM bid
    GROUP BY auction, hop(INTERVAL '2 seconds', INTERVAL '10 seconds', date_time)
) AS windows
