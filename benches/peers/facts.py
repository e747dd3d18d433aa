"""Dates, key and subject of one certificate by python-cryptography: one line of the report's table.

Run by benches/peers/run with the DER of a certificate; prints nanoseconds of one certificate.
"""

import statistics
import sys
import time

from cryptography import __version__, x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

der = open(sys.argv[1], "rb").read()


def load():
    """Checks the outline; what is asked for later is read then."""
    return x509.load_der_x509_certificate(der)


def facts():
    certificate = load()
    certificate.not_valid_before_utc
    certificate.not_valid_after_utc
    certificate.subject
    certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def median(work, rounds=101, batch=200):
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(batch):
            work()
        times.append((time.perf_counter_ns() - start) / batch)
    return statistics.median(times)


print(f"python-cryptography {__version__}, the outline only\t{median(load):.1f}")
print(f"python-cryptography {__version__}\t{median(facts):.1f}")
