/** Where a certificate authority asks for the answer to its challenge `http-01`: https://www.rfc-editor.org/rfc/rfc8555#section-8.3 */
export const CHALLENGE_PORT = 80;
