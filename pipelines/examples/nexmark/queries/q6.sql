-- The average price of the ten auctions of each seller that close last.
SELECT seller, avg(final) AS average
FROM (
    SELECT seller, final, row_number() OVER (PARTITION BY seller ORDER BY expires DESC, id DESC) AS place
    FROM (
        SELECT a.id, a.seller, a.expires, max(b.price) AS final
        FROM auction a
        JOIN bid b ON a.id = b.auction
        WHERE b.date_time BETWEEN a.date_time AND a.expires
        GROUP BY a.id, a.seller, a.expires
    ) AS winning
) AS placed
WHERE place <= 10
GROUP BY seller
