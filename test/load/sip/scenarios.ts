const SDP = `v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

const wrap = (name: string, body: string): string =>
  `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${body}\n</scenario>\n`;

const invite = (cseq: number, more: string): string => `<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:bench@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: ${cseq} INVITE
Contact: <sip:bench@[local_ip]:[local_port]>
Max-Forwards: 70
${more}Content-Type: application/sdp
Content-Length: [len]

${SDP}

]]></send>`;

const inDialog = (method: string, cseq: number): string => `<send${method === 'ACK' ? '' : ' retrans="500"'}><![CDATA[
${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:bench@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Content-Length: 0

]]></send>`;

const ackOf401 = `<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>`;

const answered = (cseq: number): string => `<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="183" optional="true"></recv>
<recv response="200" rrs="true"></recv>
${inDialog('ACK', cseq)}
<pause/>
${inDialog('BYE', cseq + 1)}
<recv response="180" optional="true"></recv>
<recv response="200"></recv>`;

/** A caller; with `password` it is challenged first. */
export function callerScenario(password?: string): string {
  if (password === undefined) return wrap('caller', `${invite(1, '')}\n${answered(1)}`);
  const again = invite(2, `[authentication username=bench password=${password}]\n`);
  return wrap(
    'caller with digest',
    `${invite(1, '')}
<recv response="100" optional="true"></recv>
<recv response="401" auth="true"></recv>
${ackOf401}
${again}
${answered(2)}`,
  );
}

const respond = (
  status: string,
  more: string,
  body = '',
): string => `<send${status.startsWith('200') ? ' retrans="500"' : ''}><![CDATA[
SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
${more}Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Length: [len]
${body}
]]></send>`;

/** A callee that challenges every INVITE. */
export const challengingCallee = wrap(
  'callee with digest',
  `<recv request="INVITE"></recv>
<send retrans="500"><![CDATA[
SIP/2.0 401 Unauthorized
[last_Via:]
[last_From:]
[last_To:];tag=[pid]u[call_number]
[last_Call-ID:]
[last_CSeq:]
WWW-Authenticate: Digest realm="trunk", nonce="n[call_number]", algorithm=MD5, qop="auth"
Content-Length: 0

]]></send>
<recv request="ACK"></recv>
<recv request="INVITE"></recv>
${respond('180 Ringing', '')}
${respond('200 OK', 'Content-Type: application/sdp\n', `\n${SDP}\n`)}
<recv request="ACK"></recv>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<timewait milliseconds="4000"/>`,
);
