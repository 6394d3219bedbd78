"""How bills and payments look in a row. Shared by the drivers."""

from __future__ import annotations

from storage.columns import Row, clean, instant, maybe_instant, maybe_micros, micros
from storage.records import Bill, Payment


def bill_values(bill: Bill) -> Row:
    """Give the row of a bill; whether it was paid is not its own to say."""
    return (bill.id, bill.user_id, clean(bill.currency), bill.amount, micros(bill.made_at))


def bill(row: Row) -> Bill:
    """Read the row of a bill."""
    return Bill(
        id=row[0], user_id=row[1], currency=row[2], amount=row[3], made_at=instant(row[4]), is_paid=bool(row[5])
    )


def payment_values(payment: Payment) -> Row:
    """Give the row of a payment."""
    return (
        clean(payment.charge_id),
        payment.user_id,
        payment.bill_id,
        clean(payment.currency),
        payment.amount,
        micros(payment.paid_at),
        maybe_micros(payment.refunded_at),
    )


def payment(row: Row) -> Payment:
    """Read the row of a payment."""
    return Payment(
        charge_id=row[0],
        user_id=row[1],
        bill_id=row[2],
        currency=row[3],
        amount=row[4],
        paid_at=instant(row[5]),
        refunded_at=maybe_instant(row[6]),
    )
