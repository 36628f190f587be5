/** AMQP 1.0 connections for plugins. Placeholder until the AMQP service lands. */
export interface AmqpHost {
  readonly version: 1;
}
