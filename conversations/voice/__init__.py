"""How the bot speaks: data in ``templates/``, chosen by what is done and by how the customer feels."""
