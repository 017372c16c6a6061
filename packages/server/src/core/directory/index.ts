export * from './errors.ts';
export * from './login-guard.ts';
export * from './model.ts';
export * from './passwords.ts';
export * from './ports.ts';
export * from './rotation.ts';
export * from './service.ts';
export * from './vault.ts';
