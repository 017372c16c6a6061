import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', chunkSizeWarningLimit: 800 },
  // `npm run dev -w packages/web` beside a server that runs already.
  server: {
    proxy: Object.fromEntries(['/restapi', '/sse'].map((path) => [path, 'http://127.0.0.1:8080'])),
  },
});
