/**
 * Where a page of another build must go (AW §5.1); undefined: it may stay. The build number is the last path
 * component before the file name, if that consists of hex digits only. Query and fragment stay.
 * @example buildRedirect('https://h/d/tool/1045/acme.htm?name=t', '1046') // 'https://h/d/tool/1046/acme.htm?name=t'
 */
export function buildRedirect(url: string, ownBuild: string | undefined): string | undefined {
  if (ownBuild === undefined) return undefined;
  const tail = url.search(/[?#]/);
  const path = tail < 0 ? url : url.slice(0, tail);
  const fileStart = path.lastIndexOf('/') + 1;
  if (fileStart === 0) return undefined;
  const folders = path.slice(0, fileStart - 1);
  const folderStart = folders.lastIndexOf('/') + 1;
  const folder = folders.slice(folderStart);
  if (folder === ownBuild) return undefined;
  const isBuild = /^[0-9a-fA-F]+$/.test(folder);
  return `${isBuild ? folders.slice(0, folderStart) : `${folders}/`}${ownBuild}/${url.slice(fileStart)}`;
}
