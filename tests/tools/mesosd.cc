// SPDX-License-Identifier: Apache-2.0
// One real Apache Mesos 1.11.0 master or agent as a process of its own, for tests:
//   mesosd master                 flags from MESOS_* environment variables, as Mesos' own programs take them
//   mesosd agent HOST:PORT        likewise
//   mesos-containerizer launch …  the same program under the name that the agent looks for
// The PyPI package "mesos.scheduler" carries all of libmesos in one shared object that exports every symbol. It is
// loaded here and its public constructors are called by their Itanium names. Only the few layouts that those calls need
// are written down; they cannot move, since the object is pinned by its SHA-256 (apache_mesos.py).
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <string>

// What the object expects from a Python 2 interpreter. It only has to be there: nothing of it is called.
#define PYTHON_FUNCTION(name)                                           \
  extern "C" __attribute__((visibility("default"))) void* name() {      \
    std::fprintf(stderr, "mesosd: unexpected call of " #name "\n");     \
    std::abort();                                                       \
  }
#define PYTHON_OBJECT(name) \
  extern "C" {              \
  __attribute__((visibility("default"))) void* name[64]; \
  }
PYTHON_FUNCTION(PyArg_ParseTuple)
PYTHON_FUNCTION(PyDict_GetItemString)
PYTHON_FUNCTION(PyErr_Format)
PYTHON_FUNCTION(PyErr_Occurred)
PYTHON_FUNCTION(PyErr_Print)
PYTHON_FUNCTION(PyEval_InitThreads)
PYTHON_FUNCTION(PyEval_RestoreThread)
PYTHON_FUNCTION(PyEval_SaveThread)
PYTHON_FUNCTION(PyGILState_Ensure)
PYTHON_FUNCTION(PyGILState_Release)
PYTHON_FUNCTION(PyImport_ImportModule)
PYTHON_FUNCTION(PyInt_FromLong)
PYTHON_FUNCTION(PyIter_Next)
PYTHON_FUNCTION(PyList_GetItem)
PYTHON_FUNCTION(PyList_New)
PYTHON_FUNCTION(PyList_SetItem)
PYTHON_FUNCTION(PyList_Size)
PYTHON_FUNCTION(PyModule_AddObject)
PYTHON_FUNCTION(PyModule_GetDict)
PYTHON_FUNCTION(PyObject_CallMethod)
PYTHON_FUNCTION(PyObject_GetIter)
PYTHON_FUNCTION(PyString_AsStringAndSize)
PYTHON_FUNCTION(PyType_Ready)
PYTHON_FUNCTION(Py_InitModule4_64)
PYTHON_OBJECT(PyExc_Exception)
PYTHON_OBJECT(PyExc_TypeError)
PYTHON_OBJECT(_Py_NoneStruct)

namespace {

// stout's Option<T>: a 32 bit tag (0: there is a value), then the value.
template <class T>
struct Option {
  std::int32_t none = 1;
  alignas(8) unsigned char room[sizeof(T)] = {};
  Option() = default;
  explicit Option(const T& value) : none(0) { new (room) T(value); }
  T& value() { return *reinterpret_cast<T*>(room); }
};
// An absent Option<T> of any T.
struct Nothing {
  std::int32_t none = 1;
  unsigned char room[508] = {};
};
// stout's Try<T*>.
struct TryPointer {
  Option<void*> data;
  Option<std::string> error;
};
// stout's Try<flags::Warnings>: one vector.
struct TryWarnings {
  std::int32_t none = 0;
  std::int32_t padding = 0;
  void* vector[3] = {};
  Option<std::string> error;
};

// Virtual bases as libmesos has them, so that the compiler makes the adjustment of pointers; it reads the distance from
// the object's own vtable. They must not be empty: empty virtual bases are laid out differently.
struct FlagsBase {
  virtual ~FlagsBase() = default;
  long data = 0;
};
struct LoggingFlags : virtual FlagsBase {
  long logging = 0;
};
struct AgentFlags : virtual LoggingFlags {
  long agent = 0;
};
struct EventConsumer {
  virtual ~EventConsumer() = default;
};
struct ProcessBase : EventConsumer {
  long data = 0;
};
struct SomeProcess : virtual ProcessBase {
  long some = 0;
};
struct Upid {
  char room[512];
};

constexpr std::size_t kRoom = 1 << 20;  // more than any object made here
void* library = nullptr;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "mesosd: %s\n", what.c_str());
  std::exit(1);
}

template <class Function>
Function symbol(const char* name) {
  void* found = dlsym(library, name);
  if (found == nullptr) die(std::string("no symbol ") + name);
  return reinterpret_cast<Function>(found);
}

void* room(std::size_t bytes = kRoom) { return std::calloc(1, bytes); }

std::string environment(const char* name, const std::string& otherwise = "") {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

void* made(TryPointer& result, const char* what) {
  if (result.data.none != 0) die(std::string(what) + ": " + result.error.value());
  return result.data.value();
}

#define MANGLED_STRING "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
#define MANGLED_OPTION_STRING "RK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEE"

void start_logging(const char* name) {
  Nothing nothing;
  symbol<void (*)(const std::string&, bool, const void*)>("_ZN5mesos8internal7logging10initializeE" MANGLED_STRING
                                                          "bRK6OptionINS1_5FlagsEE")(name, true, &nothing);
}

void spawn(void* process, Upid* upid) {
  symbol<void* (*)(void*, ProcessBase*, bool)>("_ZN7process5spawnEPNS_11ProcessBaseEb")(
      upid, static_cast<ProcessBase*>(static_cast<SomeProcess*>(process)), false);
}

void start_libprocess(const std::string& root) {
  Option<std::string> delegate(root);
  Option<std::string> none;
  symbol<bool (*)(const void*, const void*, const void*)>(
      "_ZN7process10initializeERK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEES9_S9_")(&delegate, &none,
                                                                                                       &none);
  static Upid version_upid;
  void* version = room();
  symbol<void (*)(void*)>("_ZN5mesos8internal14VersionProcessC1Ev")(version);
  spawn(version, &version_upid);
}

// "mesos local" with no agents is a master.
int run_master(const char* name) {
  start_logging(name);
  start_libprocess("master");
  struct {
    void* vtable;
    std::string work_dir;
    int agents;
    char rest[512];
  } flags = {nullptr, environment("MESOS_WORK_DIR", "/tmp/mesos"), 0, {}};
  Upid upid;
  symbol<void* (*)(void*, const void*, void*)>(
      "_ZN5mesos8internal5local6launchERKNS1_5FlagsEPNS_9allocator9AllocatorE")(&upid, &flags, nullptr);
  for (;;) pause();
}

void load_flags(AgentFlags* flags) {
  const std::map<std::string, std::string> none;
  Option<std::string> prefix(std::string("MESOS_"));
  TryWarnings loaded;
  symbol<void* (*)(void*, FlagsBase*, const void*, bool, const void*)>(
      "_ZN5flags9FlagsBase4loadERKSt3mapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES7_St4lessIS7_ESaISt4pair"
      "IKS7_S7_EEEbRK6OptionIS7_E")(&loaded, static_cast<FlagsBase*>(flags), &none, false, &prefix);
  if (loaded.none != 0) die("agent flags: " + loaded.error.value());
}

void* make_detector(const std::string& master) {
  Nothing nothing;
  TryPointer result;
  Option<std::string> where(master);
  Option<std::int64_t> session(std::int64_t{10} * 1000000000);
  symbol<void* (*)(void*, const void*, const void*, const void*)>(
      "_ZN5mesos6master8detector14MasterDetector6createERK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEE"
      "SC_RKS3_I8DurationE")(&result, &where, &nothing, &session);
  return made(result, "master detector");
}

void* make_containerizer(AgentFlags* flags, void* fetcher, void* garbage) {
  Nothing nothing;
  TryPointer secrets;
  symbol<void* (*)(void*, const void*)>("_ZN5mesos14SecretResolver6createE" MANGLED_OPTION_STRING)(&secrets, &nothing);
  void* resolver = made(secrets, "secret resolver");
  TryPointer result;
  symbol<void* (*)(void*, const void*, bool, void*, void*, void*, void*, void*, void*)>(
      "_ZN5mesos8internal5slave13Containerizer6createERKNS1_5FlagsEbPNS1_7FetcherEPNS1_16GarbageCollectorEPNS_14Secret"
      "ResolverEPNS1_16VolumeGidManagerEPNS0_20PendingFutureTrackerEPNS1_9CSIServerE")(
      &result, flags, false, fetcher, garbage, resolver, nullptr, nullptr, nullptr);
  return made(result, "containerizer");
}

int run_agent(const char* name, const std::string& master) {
  auto* flags = static_cast<AgentFlags*>(room());
  symbol<void (*)(void*)>("_ZN5mesos8internal5slave5FlagsC1Ev")(flags);
  load_flags(flags);
  start_logging(name);
  const std::string id = "slave(1)";
  start_libprocess(id);

  Nothing nothing;
  void* fetcher = room();
  symbol<void (*)(void*, const void*)>("_ZN5mesos8internal5slave7FetcherC1ERKNS1_5FlagsE")(fetcher, flags);
  void* garbage = room();
  const std::string work_dir = environment("MESOS_WORK_DIR");
  symbol<void (*)(void*, const std::string&)>("_ZN5mesos8internal5slave16GarbageCollectorC1E" MANGLED_STRING)(
      garbage, work_dir);
  void* containerizer = make_containerizer(flags, fetcher, garbage);
  void* detector = make_detector(master);
  void* files = room();
  symbol<void (*)(void*, const void*, const void*)>(
      "_ZN5mesos8internal5FilesC1ERK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEERKS2_IPNS_10Authorizer"
      "EE")(files, &nothing, &nothing);
  void* updates = room();
  symbol<void (*)(void*, const void*)>("_ZN5mesos8internal5slave23TaskStatusUpdateManagerC1ERKNS1_5FlagsE")(updates,
                                                                                                          flags);
  TryPointer result;
  symbol<void* (*)(void*, const void*)>("_ZN5mesos5slave17ResourceEstimator6createE" MANGLED_OPTION_STRING)(&result,
                                                                                                          &nothing);
  void* estimator = made(result, "resource estimator");
  symbol<void* (*)(void*, const void*)>("_ZN5mesos5slave13QoSController6createE" MANGLED_OPTION_STRING)(&result,
                                                                                                       &nothing);
  void* qos = made(result, "QoS controller");

  void* no_csi_server[8] = {};
  void* agent = room();
  symbol<void (*)(void*, const std::string&, const void*, void*, void*, void*, void*, void*, void*, void*, void*, void*,
                  void*, void*, const void*, const void*)>(
      "_ZN5mesos8internal5slave5SlaveC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKNS1_5FlagsEPNS_6master"
      "8detector14MasterDetectorEPNS1_13ContainerizerEPNS0_5FilesEPNS1_16GarbageCollectorEPNS1_23TaskStatusUpdate"
      "ManagerEPNS_5slave17ResourceEstimatorEPNSQ_13QoSControllerEPNS_15SecretGeneratorEPNS1_16VolumeGidManagerEPNS0_20"
      "PendingFutureTrackerEON7process5OwnedINS1_9CSIServerEEERK6OptionINS11_7network8internal6SocketINS17_4unix7AddressEEEERK"
      "S16_IPNS_10AuthorizerEE")(agent, id, flags, detector, containerizer, files, garbage, updates, estimator, qos,
                                 nullptr, nullptr, nullptr, no_csi_server, &nothing, &nothing);

  // Runs until the agent's actor ends: on SIGUSR1, or told by the master to shut down.
  static Upid upid;
  spawn(agent, &upid);
  const std::int64_t forever = -1000000000;
  symbol<bool (*)(const void*, const void*)>("_ZN7process4waitERKNS_4UPIDERK8Duration")(&upid, &forever);
  std::fflush(nullptr);
  _exit(0);
}

// The object holds the whole subcommand but not its (inlined) constructor: it is put together here.
int run_containerizer(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "launch") != 0) die("only the subcommand launch is there");
  auto* object = static_cast<char*>(room());
  *reinterpret_cast<void**>(object) = symbol<char*>("_ZTVN5mesos8internal5slave24MesosContainerizerLaunchE") + 16;
  // getFlags() gives the virtual base of the flags; the first word of their vtable says how far it is from them.
  char* base = symbol<char* (*)(void*)>("_ZN5mesos8internal5slave24MesosContainerizerLaunch8getFlagsEv")(object);
  const long distance = *symbol<long*>("_ZTVN5mesos8internal5slave24MesosContainerizerLaunch5FlagsE");
  symbol<void (*)(void*)>("_ZN5mesos8internal5slave24MesosContainerizerLaunch5FlagsC1Ev")(base - distance);

  Option<std::string> prefix(std::string("MESOS_CONTAINERIZER_"));
  TryWarnings loaded;
  symbol<void* (*)(void*, void*, const void*, int, char**, bool, bool)>(
      "_ZN5flags9FlagsBase4loadERK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEEiPKPKcbb")(
      &loaded, base, &prefix, argc - 1, argv + 1, false, false);
  if (loaded.none != 0) die("launch flags: " + loaded.error.value());
  return symbol<int (*)(void*)>("_ZN5mesos8internal5slave24MesosContainerizerLaunch7executeEv")(object);
}

std::string own_folder() {
  char path[PATH_MAX + 1] = {};
  if (readlink("/proc/self/exe", path, PATH_MAX) < 0) die("readlink");
  return dirname(path);
}

}  // namespace

int main(int argc, char** argv) {
  library = dlopen((own_folder() + "/libmesos.so").c_str(), RTLD_LAZY | RTLD_GLOBAL);
  if (library == nullptr) die(dlerror());
  const std::string name = basename(argv[0]);
  if (name == "mesos-containerizer") return run_containerizer(argc, argv);
  if (argc == 2 && std::strcmp(argv[1], "master") == 0) return run_master(argv[0]);
  if (argc == 3 && std::strcmp(argv[1], "agent") == 0) return run_agent(argv[0], argv[2]);
  die("usage: mesosd master | mesosd agent HOST:PORT");
}
