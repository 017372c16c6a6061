export * from './call-machine.ts';
export * from './model.ts';
export * from './ports.ts';
export * from './service.ts';
export * from './chat-line.ts';
