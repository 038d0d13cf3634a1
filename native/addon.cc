// Registration of the addon: the class `Door` and the version of the slab layout that it speaks.
#include <node_api.h>

#include "door.h"
#include "js-values.h"
#include "slab.h"

NAPI_MODULE_INIT() {
  if (Door::define(env, exports) != napi_ok) return throwError(env, "the addon could not define its class");
  napi_set_named_property(env, exports, "slabVersion", numberValue(env, kSlabVersion));
  return exports;
}
