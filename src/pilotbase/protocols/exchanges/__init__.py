"""Messages of a field, read as cases of a contract, or refused with a reason.

trees      what all forms share: bytes in bounds, places in a message, a message without one of them
fhir       HL7 FHIR: a Bundle, or one resource
dicom      DICOM JSON model: attributes of a data set
opcua      OPC UA PubSub: a NetworkMessage as JSON
rest       JSON bodies
rows       rows of a CSV file
forms      all of them by name
reading    one message: identifier, time, cells as the contract reads them
"""
