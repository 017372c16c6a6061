import type { AppInfoAnswer, PbxInfo } from './base-messages.ts';
import type { JsonObject } from './envelope.ts';
import { isObject, textOf } from './envelope.ts';

/** Reads `PbxInfo` leniently: what is missing is empty (AW §5.3). */
export function parsePbxInfo(message: JsonObject): PbxInfo {
  const { domain, pbx, pbxDns, apis, version, build } = message;
  return {
    domain: textOf(domain),
    pbx: textOf(pbx),
    pbxDns: textOf(pbxDns),
    apis: Array.isArray(apis) ? apis.filter((api): api is string => typeof api === 'string') : [],
    version: version === undefined ? undefined : textOf(version),
    build: build === undefined ? undefined : textOf(build),
  };
}

/** Text of `PbxInfo`. */
export function pbxInfoText(info: PbxInfo): string {
  return JSON.stringify({ mt: 'PbxInfo', ...info });
}

/** Reads `AppInfoResult`: all members may be missing, and two misspellings are known (AW §5.2). */
export function parseAppInfoAnswer(message: JsonObject): AppInfoAnswer {
  const { info, deviceapp } = message;
  const serviceInfo = message['serviceInfo'] ?? message['seviceInfo'] ?? message['sericeinfo'];
  const isDevice = deviceapp === 'phone' || deviceapp === 'softphone' || deviceapp === 'rcc';
  return {
    ...(isObject(info) ? { info } : {}),
    ...(isObject(serviceInfo) ? { serviceInfo } : {}),
    ...(isDevice ? { deviceapp } : {}),
  };
}
