-- Ten times as many items as there are lots, each with its lot.
SELECT i.key, i.value, i.at, l.seller FROM item i JOIN lot l ON i.key % 200000 = l.id
