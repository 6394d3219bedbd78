-- save_bill: Note that somebody was given a bill.
INSERT INTO bills (id, user_id, currency, amount, made_at) VALUES (?, ?, ?, ?, ?);

-- bill: A bill of a user, and whether it was paid.
SELECT id, user_id, currency, amount, made_at, EXISTS (SELECT 1 FROM payments WHERE payments.bill_id = bills.id)
FROM bills WHERE id = ? AND user_id = ?;

-- save_payment: Note what somebody paid; one that is noted already stays as it is.
INSERT INTO payments (charge_id, user_id, bill_id, currency, amount, paid_at, refunded_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (charge_id) DO NOTHING;

-- payment: What was paid under a number of the messenger's.
SELECT charge_id, user_id, bill_id, currency, amount, paid_at, refunded_at FROM payments WHERE charge_id = ?;

-- payments: What a user paid, in order.
SELECT charge_id, user_id, bill_id, currency, amount, paid_at, refunded_at FROM payments WHERE user_id = ?
ORDER BY paid_at, charge_id;

-- note_refund: Note that a payment was given back.
UPDATE payments SET refunded_at = ? WHERE charge_id = ? AND refunded_at IS NULL;

-- merge_bills: Let the bills of one user be another's.
UPDATE bills SET user_id = ? WHERE user_id = ?;

-- merge_payments: Let what one user paid be another's.
UPDATE payments SET user_id = ? WHERE user_id = ?;

-- purge_bills: Delete some bills made long ago.
DELETE FROM bills WHERE id IN (SELECT id FROM bills WHERE made_at < ? LIMIT ?);
