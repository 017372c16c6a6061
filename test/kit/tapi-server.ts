export { TapiServerSimulator } from '../../packages/server/src/cli/tapi-server-sim/index.ts';
