export { createExchangeEngine, type ExchangeEngineParts } from './engine.ts';
