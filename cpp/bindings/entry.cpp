// fanin._core.Entry is a public function of Python: a wrapper that is written in Python costs ten times as much.
#include <pybind11/pybind11.h>
#include <structmember.h>

#include <cstddef>

#include "bindings/register.hpp"
#include "core/fp_environment.hpp"

namespace fanin::bindings {
namespace {

// Docstring and signature may be functions, which make them when they are first asked for: no call needs them.
struct Entry {
  PyObject_HEAD;
  PyObject* function;  // does the work
  PyObject* explain;   // explain(entry, args, kwargs) raises an error that helps if they do not fit the parameters
  PyObject *doc, *signature;
  PyObject *attributes, *weak_references;
  vectorcallfunc call;
};

Entry* as_entry(PyObject* self) { return reinterpret_cast<Entry*>(self); }

// Lets `explain` replace the TypeError that is set, and restores that one if nothing was raised.
void explain(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* const positional = PyTuple_New(count);
  PyObject* const named = PyDict_New();
  bool made = positional && named;
  for (Py_ssize_t i = 0; made && i < count; ++i)
    PyTuple_SET_ITEM(positional, i, Py_NewRef(arguments[i]));
  for (Py_ssize_t i = 0; made && names && i < PyTuple_GET_SIZE(names); ++i)
    made = PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), arguments[count + i]) == 0;
  PyObject* const nothing =
      made ? PyObject_CallFunctionObjArgs(as_entry(self)->explain, self, positional, named, nullptr) : nullptr;
  Py_XDECREF(positional);
  Py_XDECREF(named);
  if (nothing) return Py_DECREF(nothing), PyErr_Restore(type, value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

// Rounds to nearest and keeps subnormals while the function runs, and leaves the caller's environment as it was.
PyObject* call(PyObject* self, PyObject* const* arguments, size_t count, PyObject* names) {
  const uint64_t state = FpEnvironment::state();
  const bool unusual = !FpEnvironment::is_ieee754();
  if (unusual) FpEnvironment::set(FpEnvironment::kIeee754);
  PyObject* const result = PyObject_Vectorcall(as_entry(self)->function, arguments, count, names);
  if (!result && PyErr_ExceptionMatches(PyExc_TypeError)) explain(self, arguments, PyVectorcall_NARGS(count), names);
  if (unusual) FpEnvironment::set(state);
  return result;
}

PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject* named) {
  static const char* const kNames[] = {"function", "explain", nullptr};
  PyObject *function, *explain;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "OO:Entry", const_cast<char**>(kNames), &function, &explain))
    return nullptr;
  PyObject* const self = type->tp_alloc(type, 0);
  if (!self) return nullptr;
  as_entry(self)->function = Py_NewRef(function);
  as_entry(self)->explain = Py_NewRef(explain);
  as_entry(self)->call = call;
  return self;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Entry* const entry = as_entry(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(entry->function);
  Py_VISIT(entry->explain);
  Py_VISIT(entry->doc);
  Py_VISIT(entry->signature);
  Py_VISIT(entry->attributes);
  return 0;
}

int clear(PyObject* self) {
  Entry* const entry = as_entry(self);
  Py_CLEAR(entry->explain);
  Py_CLEAR(entry->doc);
  Py_CLEAR(entry->signature);
  Py_CLEAR(entry->attributes);
  return 0;  // the function stays callable as long as somebody has the entry
}

void deallocate(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (as_entry(self)->weak_references) PyObject_ClearWeakRefs(self);
  clear(self);
  Py_CLEAR(as_entry(self)->function);
  type->tp_free(self);
  Py_DECREF(type);
}

// Binds the entry to the object on which it was looked up, as a function does.
PyObject* bind(PyObject* self, PyObject* object, PyObject*) {
  return object && object != Py_None ? PyMethod_New(self, object) : Py_NewRef(self);
}

PyObject* represent(PyObject* self) {
  PyObject* const name = PyObject_GetAttrString(self, "__qualname__");
  if (!name) return nullptr;
  PyObject* const text = PyUnicode_FromFormat("<function %S at %p>", name, self);
  Py_DECREF(name);
  return text;
}

// Pickle finds a function by its name.
PyObject* reduce(PyObject* self, PyObject*) { return PyObject_GetAttrString(self, "__qualname__"); }

template <PyObject* Entry::*kAttribute>
PyObject* get(PyObject* self, void* name) {
  PyObject*& attribute = as_entry(self)->*kAttribute;
  if (attribute && PyCallable_Check(attribute)) {
    PyObject* const made = PyObject_CallNoArgs(attribute);
    if (!made) return nullptr;
    Py_SETREF(attribute, made);
  }
  if (!attribute) PyErr_SetString(PyExc_AttributeError, static_cast<const char*>(name));
  return Py_XNewRef(attribute);
}

template <PyObject* Entry::*kAttribute>
int set(PyObject* self, PyObject* value, void*) {
  Py_XSETREF(as_entry(self)->*kAttribute, Py_XNewRef(value));
  return 0;
}

char g_doc[] = "__doc__", g_signature[] = "__signature__";

PyGetSetDef g_attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {g_doc, get<&Entry::doc>, set<&Entry::doc>, nullptr, g_doc},
    {g_signature, get<&Entry::signature>, set<&Entry::signature>, nullptr, g_signature},
    {},
};

PyMemberDef g_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Entry, attributes), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Entry, weak_references), READONLY, nullptr},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Entry, call), READONLY, nullptr},
    {},
};

PyMethodDef g_methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr}, {}};

template <class Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

PyType_Slot g_slots[] = {
    {Py_tp_new, slot(make)},
    {Py_tp_dealloc, slot(deallocate)},
    {Py_tp_traverse, slot(traverse)},
    {Py_tp_clear, slot(clear)},
    {Py_tp_call, slot(PyVectorcall_Call)},
    {Py_tp_descr_get, slot(bind)},
    {Py_tp_repr, slot(represent)},
    {Py_tp_getset, g_attributes},
    {Py_tp_members, g_members},
    {Py_tp_methods, g_methods},
    {},
};

PyType_Spec g_entry = {"fanin._core.Entry", sizeof(Entry), 0,
                       Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                           Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
                       g_slots};

}  // namespace

void register_entry(pybind11::module_& m) {
  auto type = pybind11::reinterpret_steal<pybind11::object>(PyType_FromSpec(&g_entry));
  if (!type) throw pybind11::error_already_set();
  m.add_object("Entry", type);
}

}  // namespace fanin::bindings
