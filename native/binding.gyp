{
  # sanitize=1 builds the addon and the host for AddressSanitizer and UBSan (scripts/native-sanitize).
  'variables': {
    'sanitize%': 0,
    'engine_sources': [
      'attributes.cc',
      'calls.cc',
      'cipher-calls.cc',
      'decode-mechanism.cc',
      'decode-template.cc',
      'engine.cc',
      'exchange.cc',
      'key-calls.cc',
      'module.cc',
      'object-calls.cc',
      'pin-pipe.cc',
      'pool-thread.cc',
      'slab.cc',
      'slot-calls.cc',
    ],
  },
  'target_defaults': {
    'cflags_cc': ['-std=c++17', '-O2', '-Wall', '-Wextra', '-fexceptions', '-fstack-protector-strong'],
    'cflags_cc!': ['-fno-exceptions'],
    'defines': ['_FORTIFY_SOURCE=2', 'NAPI_VERSION=8'],
    'conditions': [
      ['sanitize==1', {
        'defines': ['HSM_KMS_SANITIZE'],
        'defines!': ['_FORTIFY_SOURCE=2'],
        'cflags_cc': ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-g'],
        'ldflags': ['-fsanitize=address,undefined'],
      }],
    ],
  },
  'targets': [
    {
      'target_name': 'pkcs11',
      'sources': ['addon.cc', 'completion-poll.cc', 'door.cc', 'js-values.cc', '<@(engine_sources)'],
      'ldflags': ['-Wl,-z,relro,-z,now'],
    },
    {
      'target_name': 'token-host',
      'type': 'executable',
      'sources': ['host-main.cc', '<@(engine_sources)'],
      'cflags_cc': ['-fPIE'],
      'ldflags': ['-pie', '-Wl,-z,relro,-z,now'],
      'libraries': ['-ldl', '-lpthread'],
    },
    {
      'target_name': 'null-module',
      'type': 'loadable_module',
      'sources': ['test-modules/null-module.cc'],
      'cflags_cc': ['-fPIC'],
    },
    {
      'target_name': 'slow-module',
      'type': 'loadable_module',
      'sources': ['test-modules/slow-module.cc'],
      'cflags_cc': ['-fPIC'],
      'libraries': ['-ldl'],
    },
    {
      'target_name': 'c-bench',
      'type': 'executable',
      'sources': ['bench/c-bench.cc'],
      'libraries': ['-ldl', '-lpthread'],
    },
  ],
}
