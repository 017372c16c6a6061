export { systemClock, type Clock, type Timer } from './clock.ts';
export { TimerWheel } from './timer-wheel.ts';
