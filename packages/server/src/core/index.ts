export * from './events.ts';
export * from './ports.ts';
