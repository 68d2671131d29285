"""Asks GS1 Germany's event hash generator, in its own environment. One JSON line in, a document; one out, the strings
that it hashes, or the error that it dies of. It would fetch GS1's context from the web: here it gets its own copy."""

import json
import logging
import sys

from epcis_event_hash_generator import file_document_loader, hash_generator, json_to_py  # type: ignore[import-not-found]
from pyld import jsonld  # type: ignore[import-not-found]

OWN_COPY = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

logging.disable(logging.CRITICAL)
load = file_document_loader.file_document_loader()
jsonld.set_document_loader(lambda _url, _options=None: load(OWN_COPY, {}))
for line in sys.stdin:
    # It gathers prefixes over all documents that it ever read.
    json_to_py._namespaces.clear()
    try:
        events = json_to_py.event_list_from_epcis_document_json(json.loads(line)["document"])
        answer = {"hashed": hash_generator.derive_prehashes_from_events(events)}
    except Exception as error:  # whatever it may be: the question is only whether it has an answer
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
