export {
  registerHealth,
  type HealthApp,
  type HealthParts,
  type ReadinessCheck,
  type TelephonyHealth,
} from './health.ts';
export { createLog, silentLog, type Fields, type Log, type LogLevel, type LogOptions } from './log.ts';
export { createMetrics, type Metrics, type StoreReading } from './metrics.ts';
export {
  listenerObserver,
  surfaceObserver,
  type ListenerObserver,
  type LoggedIn,
  type ObserverParts,
  type SurfaceObserver,
} from './observers.ts';
