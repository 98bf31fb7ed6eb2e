"""Make arrays that have nothing but DLPack, and may describe themselves in any way, right or wrong."""

import ctypes


class Tensor(ctypes.Structure):
    """Lay out a managed tensor as the ABI of DLPack 0.8 does."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


class Capsule:
    """Describe an array at an address; strides count elements, and None stands for C order."""

    def __init__(self, address, shape, strides=None, *, kind=(2, 32), device=(1, 0), byte_offset=0):
        numbers = ctypes.c_int64 * len(shape)
        pair = (ctypes.c_int32 * 2)(*device)
        steps = None if strides is None else numbers(*strides)
        self.tensor = Tensor(address, pair, len(shape), *kind, 1, numbers(*shape), steps, byte_offset, None, None)
        self.shape, self.dtype = shape, "float32"
        self.asked = {}

    def __dlpack_device__(self):
        return tuple(self.tensor.device)

    def __dlpack__(self, **options):
        self.asked.update(options)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.tensor), b"dltensor", None)


class Exporter:
    """Wrap an array such that it is known by DLPack alone."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device
        self.shape, self.dtype = array.shape, array.dtype

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    @classmethod
    def of(cls, capsule):
        """Return whatever gives this capsule."""
        return type("Of", (), {"__dlpack__": lambda _, **options: capsule, "__dlpack_device__": lambda _: (1, 0)})()


class OldExporter(Exporter):
    """Export as before DLPack 1.0: without keywords, and without a read-only flag."""

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__(stream=stream)
