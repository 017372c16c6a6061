/** Known to both processes. */
export const PASSWORD = 'geheim-ä';
