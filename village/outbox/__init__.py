"""What goes out to people: mail, short messages, and calls that somebody has to make.

Whoever has something to tell puts it here within the transaction that gives the reason for it:

    with write(ledger=True) as session:
        ...
        put(session, cooperative_id=coop, channel="sms", to=phone, subject="", body=text,
            about=("recall", recall_id), key=f"recall:{recall_id}:{order_id}")

so that it is told if and only if the reason holds. A job sends it afterwards. What is promised: a message that was put
is sent, or fails and stands on the office's page as failed; it is never lost in silence. Each message is sent by one
process at a time. A process that is killed after handing a message over and before noting so has it sent again: SMTP
has no "have you seen this one", so the second copy bears the same Message-ID, and most mailboxes show one; a gateway
for short messages gets the same idempotency key. An address and a body can be erased; the proof, who said what and
when, stays.
"""
