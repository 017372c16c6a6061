import { describeLocation } from '../../test/location-contract.ts';
import { MemoryLocation } from './memory.ts';

describeLocation('MemoryLocation', (options) => Promise.resolve(new MemoryLocation(options)));
