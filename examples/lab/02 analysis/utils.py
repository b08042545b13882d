SEUILS = {"MIL": 115, "OAK": 140, "DAM": 165}  # cm


def alerte(station, niveau):
    return niveau > SEUILS[station]
