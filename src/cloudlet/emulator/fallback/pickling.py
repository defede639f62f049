"""How a back end of moto becomes bytes: a graph of Python objects, so it is pickled.

Back ends of other services inside the graph are stored as references, so that each stays one object. What holds a lock
is made anew, private keys and certificates are stored as DER, functions without a name by cloudpickle.
"""

from __future__ import annotations

import io
import pickle
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from types import MethodType
from typing import Any

import cloudpickle
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from cryptography.x509 import Certificate, load_der_x509_certificate

LOCK, REENTRANT_LOCK = type(threading.Lock()), type(threading.RLock())

# What a state that came from somewhere else may name beside moto's classes: data, and what makes it here.
PLAIN = frozenset(
    (module, name)
    for module, names in (
        ("builtins", "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"),
        ("collections", "Counter OrderedDict defaultdict deque"),
        ("copyreg", "__newobj__ _reconstructor"),
        ("datetime", "date datetime time timedelta timezone"),
        ("dateutil.tz.tz", "tzutc"),
        ("decimal", "Decimal"),
        ("ipaddress", "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network"),
        ("re", "_compile"),
        ("threading", "Lock RLock"),
        ("_thread", "allocate_lock RLock"),
        ("types", "MappingProxyType SimpleNamespace"),
        ("uuid", "UUID"),
        ("weakref", "WeakValueDictionary"),
        ("cryptography.x509", "load_der_x509_certificate"),
        ("cryptography.x509.base", "load_der_x509_certificate"),
        ("cryptography.hazmat.bindings._rust.x509", "load_der_x509_certificate"),
        (
            "cloudlet.emulator.fallback.stacks.records",
            "ChangeSet Event Instance Operation Result Shelf Stack StackResource StackSet",
        ),
        ("cloudlet.emulator.fallback.stacks.parameters", "Value"),
        ("cloudlet.emulator.fallback.resources", "Resource"),
        (__name__, "filter_of load_private load_public make_defaultdict"),
    )
    for name in names.split()
)

Name = tuple[str, ...]
NameOf = Callable[[Any], Name | None]
ByName = Callable[[Name], Any]


class StatePickler(cloudpickle.Pickler):  # type: ignore[misc]  # no types are installed
    """`name_of` tells which objects are references, and under which name `StateUnpickler` finds them."""

    def __init__(self, file: io.BytesIO, name_of: NameOf) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._name_of = name_of

    def persistent_id(self, value: Any) -> Name | None:
        return self._name_of(value)

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, LOCK | REENTRANT_LOCK):
            return (threading.Lock if isinstance(value, LOCK) else threading.RLock), ()
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            return make_defaultdict, (type(value), value.default_factory), vars(value), None, iter(value.items())
        if isinstance(value, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (dict(value),)
        if isinstance(value, MethodType) and is_filter(value.__self__, value.__func__.__name__):
            return filter_of, (value.__self__, value.__func__.__name__)
        if isinstance(value, Certificate):
            return load_der_x509_certificate, (value.public_bytes(Encoding.DER),)
        if not isinstance(value, type) and hasattr(value, "private_bytes") and hasattr(value, "public_key"):
            return load_private, (value.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)
        if not isinstance(value, type) and hasattr(value, "public_bytes") and hasattr(value, "verify"):
            return load_public, (value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),)
        return super().reducer_override(value)


class StateUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, by_name: ByName) -> None:
        super().__init__(file)
        self._by_name = by_name

    def persistent_load(self, name: Name) -> Any:
        return self._by_name(name)


class DataUnpickler(StateUnpickler):
    """For states that came from somewhere else. Reads data and objects of moto's classes, calls no other functions."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        if module.startswith("moto.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__.startswith("moto."):
                return found
        raise pickle.UnpicklingError(f"it has {module}.{name}, which is neither data nor a class of moto")


def make_defaultdict(kind: type[defaultdict[Any, Any]], factory: Callable[[], Any] | None) -> defaultdict[Any, Any]:
    """An empty one of a subclass whose constructor wants other arguments than Python's pickling gives it."""
    made = kind.__new__(kind)
    defaultdict.__init__(made, factory)
    return made


def is_filter(value: Any, name: str) -> bool:
    """Whether it is one of the methods that objects of EC2 keep to filter by: they only look."""
    return name.startswith("filter_") and type(value).__module__.startswith("moto.")


def filter_of(value: Any, name: str) -> Any:
    """Raises UnpicklingError for any other method."""
    if not is_filter(value, name):
        raise pickle.UnpicklingError(f"it has the method {name}")
    return getattr(value, name)


def load_private(data: bytes) -> PrivateKeyTypes:
    return load_der_private_key(data, None)


def load_public(data: bytes) -> PublicKeyTypes:
    return load_der_public_key(data)


def dump(state: Any, name_of: NameOf) -> bytes:
    """Raises whatever an object that cannot be pickled makes of it."""
    buffer = io.BytesIO()
    StatePickler(buffer, name_of).dump(state)
    return buffer.getvalue()


def load(content: bytes, by_name: ByName, *, believe: bool = True) -> Any:
    """`believe` what this emulator wrote into its own volume: a pickle is a program. Else `DataUnpickler`'s rules hold."""
    return (StateUnpickler if believe else DataUnpickler)(io.BytesIO(content), by_name).load()
