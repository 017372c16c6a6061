export * from './call.ts';
export * from './call-machine.ts';
export * from './chat-line.ts';
export * from './early-texts.ts';
export * from './model.ts';
export * from './ports.ts';
export * from './service.ts';
export * from './standing-call.ts';
