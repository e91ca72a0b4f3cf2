-- For the audit trail. The addresses of an order are not published, nor is what is only on its way.
ALTER TABLE order_events REPLICA IDENTITY FULL;
ALTER TABLE shipments REPLICA IDENTITY FULL;
ALTER TABLE shipment_items REPLICA IDENTITY FULL;
ALTER TABLE returns REPLICA IDENTITY FULL;
ALTER TABLE return_items REPLICA IDENTITY FULL;
ALTER PUBLICATION chimera ADD TABLE order_events, shipments, shipment_items, returns, return_items;
