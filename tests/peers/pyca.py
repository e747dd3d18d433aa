"""What pyca-cryptography says of chains at instants.

Reads a JSON list of {"roots": [PEM], "intermediates": [PEM], "leaf": PEM, "name": DNS name,
"times": [Unix seconds]} from the file named first, and prints a JSON list with one list of
booleans a case: whether it accepts the chain at each of the times.
"""

import datetime
import json
import sys

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError


def accepts(case):
    load = lambda pems: [x509.load_pem_x509_certificate(pem.encode()) for pem in pems]
    store = Store(load(case["roots"]))
    intermediates = load(case["intermediates"])
    [leaf] = load([case["leaf"]])
    verdicts = []
    for seconds in case["times"]:
        time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)
        builder = PolicyBuilder().store(store).time(time)
        verifier = builder.build_server_verifier(x509.DNSName(case["name"]))
        try:
            verifier.verify(leaf, intermediates)
            verdicts.append(True)
        except VerificationError:
            verdicts.append(False)
    return verdicts


with open(sys.argv[1]) as file:
    print(json.dumps([accepts(case) for case in json.load(file)]))
