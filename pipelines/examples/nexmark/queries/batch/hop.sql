SELECT auction, start, count(*) AS num
FROM (
    SELECT auction, unnest([
        date_bin(INTERVAL '2 seconds', date_time),
        date_bin(INTERVAL '2 seconds', date_time) - INTERVAL '2 seconds',
        date_bin(INTERVAL '2 seconds', date_time) - INTERVAL '4 seconds',
        date_bin(INTERVAL '2 seconds', date_time) - INTERVAL '6 seconds',
        date_bin(INTERVAL '2 seconds', date_time) - INTERVAL '8 seconds'
    ]) AS start
    FROM bid
) AS windows
GROUP BY auction, start
