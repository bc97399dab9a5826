"""What must leave the house: written in the transaction of what causes it, delivered later, at least once.

``writer`` decides what leaves, ``outbox`` keeps it, ``deliveries`` is the loop that carries it out by one of three
channels: ``webhooks``, ``mail``, ``notices``. ``unseen`` is the deadline after which an answer goes by mail.
"""
