export { replyFlow as responseFlow } from '../transport/via.ts';
