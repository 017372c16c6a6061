export { connectBus, type Bus, type BusOptions } from './bus.ts';
