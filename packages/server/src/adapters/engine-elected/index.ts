export { createElectedEngine, type ElectedEngineParts } from './engine.ts';
