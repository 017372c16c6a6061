import type { Client } from '../api/client.ts';
import type { State } from '../state/model.ts';
import type { Action } from '../state/reduce.ts';

/** Messages that tell whom the user wrote with last. */
const OVERVIEW = 200;
/** People whose presence is asked for one by one, as they are no contacts. */
const MAX_ASKED = 20;

type Dispatch = (action: Action) => void;

/** What the page shows first: people, presences, the newest messages, ended calls. */
export async function loadEverything(client: Client, dispatch: Dispatch): Promise<void> {
  const [found, messages, calls] = await Promise.all([
    client.users(),
    client.history({ max: OVERVIEW }),
    client.callHistory(),
  ]);
  dispatch({ do: 'directory', found });
  dispatch({ do: 'overview', messages });
  dispatch({ do: 'records', calls });
  const people = Object.fromEntries(found.map(({ name }) => [name, null]));
  await refreshPresences(client, people, dispatch);
}

/** The presence of everybody: of contacts at once, of some others one by one. */
export async function refreshPresences(
  client: Client,
  people: State['people'] | Readonly<Record<string, null>>,
  dispatch: Dispatch,
): Promise<void> {
  const contacts = await client.contacts();
  const names = new Set(contacts.map(({ name }) => name));
  dispatch({ do: 'contacts', names: [...names] });
  for (const { name, presence } of contacts) dispatch({ do: 'presence', name, presence });
  const others = Object.keys(people).filter((name) => !names.has(name) && name !== client.me);
  const asked = [client.me, ...others.slice(0, MAX_ASKED)];
  await Promise.all(
    asked.map(async (name) => dispatch({ do: 'presence', name, presence: await client.presence(name) })),
  );
}
