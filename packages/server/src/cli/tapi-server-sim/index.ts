export { openControl } from './control.ts';
export { TapiServerSimulator, type SimulatorOptions, type SimulatorState } from './simulator.ts';
