#!/usr/bin/env python3
"""The same questions to the inventory and to python-cryptography, as a function of DuckDB and in pandas.

    cargo build --release
    python3 -m venv venv && venv/bin/pip install duckdb pandas pyarrow cryptography
    venv/bin/python peer.py FILE.parquet [ROWS]

Everybody answers from the same Parquet file, on one thread, three times; the median of the time on the processor is
printed as rows a second, so that others on the machine count less. The peers get the first ROWS rows, the inventory
the whole file. A row that is no certificate is null for all of them.
"""

import datetime
import hashlib
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
import warnings

import duckdb
import pandas
import pyarrow
import pyarrow.parquet
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# What is not as RFC 5280 wants it is read all the same; telling of it would only take time.
warnings.simplefilter("ignore")
AT = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)


def null_if_bad(read):
    """The corpora have what no reader takes."""

    def function(der):
        if der is None:
            return None
        try:
            return read(x509.load_der_x509_certificate(der))
        except Exception:
            return None

    return function


@null_if_bad
def not_after(certificate):
    return certificate.not_valid_after_utc.timestamp()


@null_if_bad
def issuer(certificate):
    return certificate.issuer.rfc4514_string()


@null_if_bad
def pin(certificate):
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


@null_if_bad
def names(certificate):
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return ",".join(names.get_values_for_type(x509.DNSName))


FUNCTIONS = {
    "not_after": (not_after, "DOUBLE", pyarrow.float64()),
    "issuer": (issuer, "VARCHAR", pyarrow.string()),
    "pin": (pin, "VARCHAR", pyarrow.string()),
    "names": (names, "VARCHAR", pyarrow.string()),
}

SQL = {
    "dates": "SELECT min(not_after(der)), max(not_after(der)), count(not_after(der)) FROM certs",
    "names": "SELECT max(names(der)) FROM certs",
    "expiring": """SELECT (not_after / 604800)::BIGINT AS week, issuer, count(*)
        FROM (SELECT not_after(der) AS not_after, issuer(der) AS issuer FROM certs)
        WHERE not_after BETWEEN {at} AND {at} + 90 * 86400 GROUP BY ALL""",
    "pins": "SELECT count(*) FROM (SELECT pin(der) AS pin FROM certs GROUP BY pin HAVING count(*) > 1)",
}


INVENTORY = {
    "dates": "SELECT min(cert_not_after(der)), max(cert_not_after(der)), count(cert_not_after(der)) FROM certs",
    "names": "SELECT max(array_to_string(cert_names(der), ',')) FROM certs",
    "expiring": """SELECT date_trunc('week', not_after) AS week, issuer, count(*)
        FROM (SELECT cert_not_after(der) AS not_after, cert_issuer(der) AS issuer FROM certs)
        WHERE not_after BETWEEN now() AND now() + INTERVAL '90 days' GROUP BY week, issuer""",
    "pins": """SELECT count(*) FROM
        (SELECT cert_spki_sha256(der) AS pin FROM certs GROUP BY pin HAVING count(*) > 1)""",
}


def in_inventory(path, _):
    command = pathlib.Path(__file__).parent / "target/release/inventory"
    for name, sql in INVENTORY.items():
        args = [command, "--threads", "1", "-t", f"certs={path}", "--at", AT.isoformat(), "-f", "csv", "-c", sql]
        yield name, lambda args=args: subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


def batched(function, arrow):
    """By the batch: the faster of the two ways that DuckDB has."""

    def batch(column):
        return pyarrow.array([function(der) for der in column.to_pylist()], arrow)

    return batch


def in_duckdb(path, rows):
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    limit = f" LIMIT {rows}" if rows else ""
    connection.execute(f"CREATE VIEW certs AS SELECT * FROM read_parquet('{path}'){limit}")
    for name, (function, kind, arrow) in FUNCTIONS.items():
        batch = batched(function, arrow)
        connection.create_function(name, batch, ["BLOB"], kind, type="arrow", null_handling="special")
    for name, sql in SQL.items():
        yield name, lambda sql=sql: connection.execute(sql.format(at=AT.timestamp())).fetchall()


def in_pandas(path, rows):
    def frames():
        left = rows or 10**12
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(16384, columns=["der"]):
            yield batch.slice(0, left).to_pandas()
            left -= min(left, batch.num_rows)
            if left == 0:
                return

    def dates():
        ends = pandas.concat([frame.der.map(not_after) for frame in frames()])
        return ends.min(), ends.max(), ends.count()

    def all_names():
        return max(frame.der.map(names).dropna().max() for frame in frames())

    def expiring():
        parts = []
        for frame in frames():
            ends = frame.der.map(not_after)
            issuers = frame.der.map(issuer)
            chosen = ends.between(AT.timestamp(), AT.timestamp() + 90 * 86400)
            parts.append(pandas.DataFrame({"week": ends[chosen] // 604800, "issuer": issuers[chosen]}))
        return pandas.concat(parts).groupby(["week", "issuer"], dropna=False).size()

    def pins():
        pins = pandas.concat([frame.der.map(pin) for frame in frames()])
        return (pins.value_counts() > 1).sum()

    yield from {"dates": dates, "names": all_names, "expiring": expiring, "pins": pins}.items()


def processor_seconds():
    """Of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measured(engine, questions, path, rows, count):
    for name, ask in questions(path, rows):
        seconds = []
        for _ in range(3):
            start = processor_seconds()
            ask()
            seconds.append(processor_seconds() - start)
        rate = count / statistics.median(seconds)
        print(f"{engine} {name}: {rate:.0f} rows a second of a core", flush=True)
        yield name, rate


def main():
    path = os.path.abspath(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    whole = pyarrow.parquet.ParquetFile(path).metadata.num_rows
    ours = dict(measured("inventory", in_inventory, path, 0, whole))
    for engine, questions in ("duckdb", in_duckdb), ("pandas", in_pandas):
        for name, rate in measured(engine, questions, path, rows, rows or whole):
            print(f"  the inventory is {ours[name] / rate:.1f} times as fast", flush=True)


if __name__ == "__main__":
    main()
