export { byPreference, contactOf, isReachable, routeOf } from './binding.ts';
export type { Binding, BindingRoute } from './binding.ts';
export { MAX_BINDINGS, MemoryLocation } from './memory.ts';
export type { MemoryLocationOptions } from './memory.ts';
export { LocationFull } from './port.ts';
export type { LocationService } from './port.ts';
