SELECT p.id, p.name, p.start
FROM (SELECT DISTINCT id, name, date_bin(INTERVAL '10 seconds', date_time) AS start FROM person) AS p
JOIN (SELECT DISTINCT seller, date_bin(INTERVAL '10 seconds', date_time) AS start FROM auction) AS a
    ON p.id = a.seller AND p.start = a.start
