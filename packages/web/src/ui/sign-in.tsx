import { Alert, Button, Paper, PasswordInput, Text, TextInput, Title } from '@mantine/core';
import { useState, type ReactNode, type FormEvent } from 'react';
import { RequestError } from '../api/client.ts';
import { Mark } from './icons.tsx';
import { useController, useTieline } from './store.tsx';

export function SignIn(): ReactNode {
  const controller = useController();
  const { farewell } = useTieline();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await controller.signIn(name, password);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setProblem(explained(error));
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <Paper component="form" className="sign-in-card" withBorder onSubmit={(event) => void submit(event)}>
        <div className="brand">
          <Mark />
          <Title order={1} size="h2">
            Tieline
          </Title>
        </div>
        <Text className="quiet">Chat and calls in one place.</Text>
        {farewell !== null && problem === null && (
          <Alert color="petrol" variant="light" role="status">
            {farewell}
          </Alert>
        )}
        {problem !== null && (
          <Alert color="red" variant="light" role="alert">
            {problem}
          </Alert>
        )}
        <TextInput
          label="Name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        />
        <Button type="submit" size="md" loading={isBusy} fullWidth>
          Sign in
        </Button>
      </Paper>
    </main>
  );
}

function explained(error: RequestError): string {
  if (error.status === 429) {
    const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1_000);
    return seconds > 0 ? `Too many attempts. Try again in ${seconds} s.` : 'Too many attempts. Try again later.';
  }
  return error.status === 401 || error.status === 400 ? 'Name or password is wrong.' : error.message;
}
