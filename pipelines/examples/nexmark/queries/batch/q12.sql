SELECT bidder, num, start, start + INTERVAL '10 seconds' AS ended
FROM (
    SELECT bidder, date_bin(INTERVAL '10 seconds', date_time) AS start, count(*) AS num
    FROM bid
    GROUP BY bidder, date_bin(INTERVAL '10 seconds', date_time)
) AS windows
