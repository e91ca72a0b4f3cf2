-- How many bids did everybody make in each ten seconds? By event time: what is computed can then be computed again.
SELECT bidder, num, w."start" AS start, w."end" AS ended
FROM (
    SELECT bidder, tumble(INTERVAL '10 seconds', date_time) AS w, count(*) AS num
    FROM bid
    GROUP BY bidder, tumble(INTERVAL '10 seconds', date_time)
) AS windows
