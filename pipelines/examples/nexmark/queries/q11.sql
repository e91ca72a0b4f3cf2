-- How many bids did everybody make in each session, which ten seconds without one end?
SELECT bidder, num, w."start" AS start, w."end" AS ended
FROM (
    SELECT bidder, session(INTERVAL '10 seconds', date_time) AS w, count(*) AS num
    FROM bid
    GROUP BY bidder, session(INTERVAL '10 seconds', date_time)
) AS sessions
