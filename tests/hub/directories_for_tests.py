"""An LDAP directory of this machine: slapd as Debian packages it, on loopback, with and without TLS."""

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
BASE, READER = "dc=plant,dc=example", "cn=hub,dc=plant,dc=example"
SECRET = "reads people only"
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/own.pem
TLSCertificateKeyFile {folder}/own.key
disallow bind_anon
database mdb
suffix "dc=plant,dc=example"
rootdn "cn=hub,dc=plant,dc=example"
rootpw "reads people only"
directory {folder}/data
"""
_PERSON = """
dn: uid={uid},ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: {uid}
cn: {name}
sn: {name}
mail: {mail}
userPassword: {password}
"""
_GROUP = """
dn: cn={name},dc=plant,dc=example
objectClass: groupOfNames
cn: {name}
member: {members}
"""


class Directory:
    """A running directory that holds people and groups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as closed:
            ports = plain.getsockname()[1], closed.getsockname()[1]
        self.url, self.tls_url = f"ldap://127.0.0.1:{ports[0]}", f"ldaps://localhost:{ports[1]}"
        (folder / "data").mkdir()
        _certify(folder)
        (folder / "slapd.conf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "password").write_text(SECRET)
        self._load("dn: dc=plant,dc=example\nobjectClass: domain\ndc: plant\n")
        self._load("dn: ou=people,dc=plant,dc=example\nobjectClass: organizationalUnit\nou: people\n")
        self.process = None
        self.start()

    def start(self) -> None:
        addresses = f"{self.url} ldaps://127.0.0.1:{self.tls_url.rpartition(':')[2]}"
        command = [SLAPD, "-f", str(self.folder / "slapd.conf"), "-h", addresses, "-d", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("slapd does not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _load(self, entry: str) -> None:
        command = ["/usr/sbin/slapadd", "-f", str(self.folder / "slapd.conf"), "-q"]
        subprocess.run(command, input=entry.encode(), check=True, capture_output=True)

    def add_person(self, uid: str, mail: str, password: str, name: str = "Xu") -> None:
        self.change(_PERSON.format(uid=uid, mail=mail, password=password, name=name))

    def set_group(self, name: str, *members: str) -> None:
        self.delete(f"cn={name},{BASE}")
        listed = "\nmember: ".join(f"uid={one},ou=people,{BASE}" for one in members) or READER
        self.change(_GROUP.format(name=name, members=listed))

    def change(self, entry: str) -> None:
        self._run("ldapadd", "-x", input=entry.encode(), check=True)

    def delete(self, entry: str) -> None:
        self._run("ldapdelete", "-x", entry)

    def _run(self, command: str, *options: str, **how: object) -> None:
        asked = [command, "-H", self.url, "-D", READER, "-w", SECRET, *options]
        subprocess.run(asked, capture_output=True, **how)


@contextmanager
def running(folder: Path):
    """Run a directory until the end of the block."""
    directory = Directory(folder)
    try:
        yield directory
    finally:
        directory.stop()


def _certify(folder: Path) -> None:
    """Write a key and the certificate of ``localhost``, which vouches for itself."""
    key, name = (
        generate_private_key(SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    (folder / "own.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
