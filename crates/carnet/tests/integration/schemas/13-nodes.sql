-- How far the traces of another node's repository are, and what a node sent in place of an audit message.
insert into audit_forward (target, position)
    values ('192.0.2.1:6514', 2);
insert into audit_rejected (received_at, peer, transport, reason, length, octets)
    values ('2026-01-02T03:04:05.678901Z', '192.0.2.2', 'udp', 'no message', 3, '\x00ff5c');
