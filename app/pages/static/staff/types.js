/**
 * What the API sends, as far as the staff's pages use it (see app/web/schemas.py).
 *
 * @typedef {"bot" | "waiting" | "with_agent" | "resolved"} Status
 *
 * @typedef {object} Reading  what the classifier says of one customer message; probabilities 0..1
 * @property {string} state
 * @property {Record<string, number>} states
 * @property {Record<string, number>} flags
 * @property {string[]} flagged
 * @property {Record<string, number>} emotions
 * @property {string[]} labels
 * @property {string} model
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {number} seq
 * @property {"customer" | "bot" | "agent" | "system"} author
 * @property {string | null} author_name
 * @property {string} text
 * @property {string} at
 * @property {"public" | "internal"} visibility
 * @property {string | null} client_message_id
 * @property {Record<string, any>} extra
 * @property {Reading | null} reading
 *
 * @typedef {object} Happening  an event of a conversation
 * @property {number} seq
 * @property {string} kind
 * @property {string} actor
 * @property {string} at
 * @property {Record<string, any>} payload
 * @property {Message | null} message
 *
 * @typedef {object} Evidence
 * @property {string} signal
 * @property {number} value
 * @property {number} threshold
 * @property {string} text
 * @property {string} message_id
 *
 * @typedef {{text: string, message_id: string | null, detail: Evidence | null}} Line
 * @typedef {{message_id: string, seq: number, states: Record<string, number>}} MoodPoint
 *
 * @typedef {object} Brief
 * @property {Line[]} why
 * @property {Line[]} wants
 * @property {Line[]} facts
 * @property {Line[]} tried
 * @property {Line[]} promised
 * @property {Line[]} avoid
 * @property {Line[]} earlier
 * @property {MoodPoint[]} mood
 *
 * @typedef {object} StaffView  a conversation with everything that is known of it
 * @property {string} id
 * @property {Status} status
 * @property {string | null} customer_name
 * @property {string | null} customer_email
 * @property {string | null} assignee_id
 * @property {string | null} assignee_name
 * @property {string | null} reason
 * @property {string} opened_at
 * @property {string | null} waiting_since
 * @property {number} last_seq
 * @property {Happening[]} events
 * @property {Brief} brief
 *
 * @typedef {{id: string, name: string, email: string, role: "agent" | "owner"}} Account
 *
 * @typedef {{id: string, name: string}} Colleague
 *
 * @typedef {Account & {status: "here" | "away" | "leaving", capacity: number, held: number, load: number,
 *   skills: string[], languages: string[], day: {chats: number, heavy_minutes: number, since: string | null},
 *   pause_advised: boolean, pause_reason: string | null}} Me  oneself at work
 *
 * @typedef {{id: string, name: string, status: Me["status"], held: number, capacity: number, heavy: boolean}} AtDesk
 *
 * @typedef {object} Mention  a colleague's note that names me
 * @property {string} message_id
 * @property {string} conversation_id
 * @property {string | null} customer_name
 * @property {string | null} author_name
 * @property {string} at
 *
 * @typedef {{shortcut: string, title: string, text: string, source: "canned" | "faq", score: number}} Reply
 *
 * @typedef {{id: string, name: string, typing: boolean, replying: boolean}} Viewer
 * @typedef {{id: string, viewers: Viewer[], customer_is_typing: boolean}} Presence  who is in one conversation now
 *
 * @typedef {object} Card  a conversation in a list at the desk
 * @property {string} id
 * @property {Status} status
 * @property {string | null} customer_name
 * @property {string | null} reason
 * @property {string | null} waiting_since
 * @property {string} opened_at
 * @property {string | null} assignee_id
 * @property {string | null} assignee_name
 * @property {number} last_seq
 * @property {string | null} last_message  what the customer wrote last
 * @property {number | null} last_message_seq
 * @property {string | null} last_at
 * @property {string | null} state
 * @property {number | null} frustration
 * @property {{place: number, minutes: number | null} | null} wait
 * @property {boolean} [heavy]
 * @property {string[]} [flags]
 * @property {string | null} [language]
 * @property {string | null} [returned_reason]
 *
 * @typedef {Card & {offer_expires_at: string}} Offer  a chat that is offered to me
 *
 * @typedef {{me: Account | Me, waiting: Card[], mine: Card[], others: Card[], bot: Card[], online: number,
 *   offered?: Offer[], agents?: AtDesk[], skills?: string[]}} Desk
 *
 * @typedef {"right" | "too_early" | "too_late" | "not_needed"} Verdict
 *
 * @typedef {object} Escalation
 * @property {string} conversation_id
 * @property {number} seq
 * @property {string} at
 * @property {string | null} customer_name
 * @property {string} reason
 * @property {string | null} state
 * @property {Evidence[]} evidence
 * @property {"customer" | "policy"} decided_by
 * @property {string | null} agent_id
 * @property {string | null} agent_name
 * @property {string | null} taken_at
 * @property {"waiting" | "with_agent" | "resolved" | "returned"} outcome
 * @property {Verdict | null} verdict
 * @property {string} note
 *
 * @typedef {object} Endpoint
 * @property {string} id
 * @property {string} url
 * @property {string[]} kinds
 * @property {boolean} with_text
 * @property {string | null} disabled_at
 * @property {string | null} disabled_reason
 *
 * @typedef {object} Delivery
 * @property {string} id
 * @property {"webhook" | "mail" | "notice"} channel
 * @property {string} kind
 * @property {string | null} endpoint_id
 * @property {string | null} conversation_id
 * @property {"pending" | "sent" | "not_needed" | "dead"} status
 * @property {number} attempts
 * @property {string} created_at
 * @property {string | null} due_at
 * @property {string | null} finished_at
 * @property {string | null} last_error
 *
 * @typedef {{mail: boolean, notices: number, endpoints: Endpoint[], counts: Record<string, number>, deliveries: Delivery[]}} Outgoings
 *
 * @typedef {object} Outgoing  a reply or note of one's own that the server has not confirmed
 * @property {string} client_message_id
 * @property {string} text
 * @property {"public" | "internal"} visibility
 * @property {string} at
 * @property {"sending" | "failed"} state
 * @property {string} [problem]
 * @property {boolean} [refused]  the server said no, so it was certainly not kept
 */
export {};
