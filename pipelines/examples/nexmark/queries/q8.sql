-- Who came and put something up for auction in the same ten seconds?
SELECT p.id, p.name, p.w."start" AS start
FROM (
    SELECT id, name, tumble(INTERVAL '10 seconds', date_time) AS w
    FROM person
    GROUP BY id, name, tumble(INTERVAL '10 seconds', date_time)
) AS p
JOIN (
    SELECT seller, tumble(INTERVAL '10 seconds', date_time) AS w
    FROM auction
    GROUP BY seller, tumble(INTERVAL '10 seconds', date_time)
) AS a ON p.id = a.seller AND p.w."start" = a.w."start"
