"""What buyers ask and report about the pack in their hand, and what the cooperative's office answers.

A buyer needs no account: the address of the page with the answers is the key to it, and only its hash is stored.
Nothing of it stands on the ledger. A photo is for the office alone; a telephone number or mail address is used to say
that there is an answer, and for nothing else. Both are erased after a set time, or when the buyer says so.
"""
