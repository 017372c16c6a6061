export { RemoteDevice } from './device.ts';
export { Remote } from './remote.ts';
